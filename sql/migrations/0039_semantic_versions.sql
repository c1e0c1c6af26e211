-- Versions of patches are those of Semantic Versioning, which know words behind the numbers and no zeros before them. Rows from
-- before stay as they are.
ALTER TABLE patch DROP CONSTRAINT patch_patch_version_check;
ALTER TABLE patch ADD CONSTRAINT patch_version_is_semantic CHECK (patch_version ~
  '^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(\.(0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$') NOT VALID;
