-- Database roles. They belong to the cluster, so they may be there already, or be forbidden to make:
-- then only the owner can connect, and the program works as the owner.

DO $$
DECLARE r text;
BEGIN
  FOREACH r IN ARRAY ARRAY['wpa_viewer','wpa_api','wpa_agent'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I LOGIN', r);
        EXECUTE format('GRANT %I TO CURRENT_USER', r); -- so that an owner who is no superuser can become it
      EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
      END;
    END IF;
    IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = r) THEN
      EXECUTE format('GRANT USAGE ON SCHEMA wpa TO %I', r);
      EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA wpa TO %I', r);
      EXECUTE format('REVOKE ALL ON wpa.credential, wpa.secret, wpa.sign_in_try FROM %I', r);
    END IF;
  END LOOP;

  REVOKE ALL ON ALL FUNCTIONS IN SCHEMA wpa FROM PUBLIC;

  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_viewer') THEN
    GRANT EXECUTE ON FUNCTION wpa.actor(), wpa.actor_kind(), wpa.audit_field(text), wpa.audit_verify(bigint, bigint),
      wpa.audit_hash(bytea, bigint, timestamptz, text, text, text, text), wpa.valid_approvals(bigint, bytea, boolean),
      wpa.unwaived_failures(bigint, bytea), wpa.canonical(jsonb) TO wpa_viewer;
  END IF;

  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_agent') THEN
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA wpa TO wpa_agent;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA wpa TO wpa_agent;
    GRANT INSERT, UPDATE ON wpa.repository, wpa.workflow, wpa.source, wpa.workflow_analysis, wpa.finding, wpa.analysis_cache,
      wpa.health, wpa.health_history, wpa.workflow_run, wpa.patch, wpa.test_run, wpa.test_check, wpa.deployment,
      wpa.deployment_stage, wpa.deployment_target, wpa.target_intent, wpa.probe, wpa.measurement, wpa.rate_bucket,
      wpa.job, wpa.job_history, wpa.agent, wpa.notice, wpa.comment TO wpa_agent;
    GRANT INSERT, UPDATE, DELETE ON wpa.patch_edit, wpa.patch_finding, wpa.target_claim TO wpa_agent;
    GRANT DELETE ON wpa.analysis_cache, wpa.source, wpa.measurement, wpa.agent TO wpa_agent;
    GRANT INSERT ON wpa.audit, wpa.audit_verification TO wpa_agent;
  END IF;

  IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'wpa_api') THEN
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA wpa TO wpa_api;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA wpa TO wpa_api;
    GRANT SELECT, INSERT, UPDATE ON wpa.credential, wpa.secret, wpa.sign_in_try TO wpa_api;
    GRANT INSERT, UPDATE ON wpa.principal, wpa.session, wpa.setting, wpa.repository, wpa.workflow, wpa.workflow_analysis, wpa.finding,
      wpa.patch, wpa.approval, wpa.waiver, wpa.test_run, wpa.deployment, wpa.deployment_stage, wpa.deployment_target,
      wpa.job, wpa.notice, wpa.comment, wpa.agent, wpa.probe TO wpa_api;
    GRANT INSERT, UPDATE, DELETE ON wpa.patch_edit, wpa.patch_finding, wpa.target_claim TO wpa_api;
    GRANT DELETE ON wpa.setting, wpa.session, wpa.sign_in_try TO wpa_api;
    GRANT INSERT ON wpa.audit, wpa.audit_verification TO wpa_api;
  END IF;
END $$;
