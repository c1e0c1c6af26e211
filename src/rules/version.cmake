# Writes OUT with a digest of everything a rule's outcome depends on: INPUTS, one path a line in a
# file. Run by the build whenever one of them changes.
file(STRINGS ${INPUTS} paths)
set(digests "")
foreach(path ${paths})
  file(SHA256 ${path} digest)
  string(APPEND digests ${digest})
endforeach()
string(SHA256 version "${digests}")
string(SUBSTRING ${version} 0 16 version)
file(CONFIGURE OUTPUT ${OUT} CONTENT "#define WPA_RULES_VERSION \"${version}\"\n")
