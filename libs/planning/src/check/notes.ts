import type { PlanNote } from '@delta-ci/contracts';

/**
 * Every note that the check of a plan can make. Errors mean that the plan must not run: planning has a defect, or what is asked
 * for cannot be had. Warnings and the rest are for people.
 */
export const CHECK_NOTES = {
  repeated_key: 'error',
  unknown_need: 'error',
  circular_needs: 'error',
  unaccounted_file: 'error',
  affected_without_job: 'error',
  wrong_explanation: 'error',
  incomplete_shards: 'error',
  trust_differs: 'error',
  weak_isolation: 'error',
  secrets_for_untrusted: 'error',
  egress_for_untrusted: 'error',
  limits_for_untrusted: 'error',
  label_for_untrusted: 'error',
  policy_for_untrusted: 'error',
  shadow_decides: 'error',
  shadow_for_untrusted: 'error',
  path_outside_workspace: 'error',
  label_not_offered: 'error',
  image_not_offered: 'error',
  services_not_offered: 'error',
  limits_not_offered: 'error',
  timeout_beyond_run: 'warning',
  may_publish: 'warning',
  nothing_to_run_in_unit: 'info',
} as const satisfies Readonly<Record<string, PlanNote['severity']>>;

export type CheckNoteCode = keyof typeof CHECK_NOTES;

/** As long as a plan lets a message and a subject be. */
const MESSAGE_LENGTH_MAX = 5_000;
const SUBJECT_LENGTH_MAX = 4_096;

export function note(code: CheckNoteCode, message: string, subject: string): PlanNote {
  return {
    severity: CHECK_NOTES[code],
    code,
    message: message.slice(0, MESSAGE_LENGTH_MAX),
    subject: subject.slice(0, SUBJECT_LENGTH_MAX),
  };
}
