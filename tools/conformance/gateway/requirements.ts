import { under } from '../requirement.ts';

/** What a gateway has to do, in the order of `docs/runner-protocol.md`. */
export const GATEWAY_REQUIREMENTS = {
  ...under('Speaking', {
    'says-no-in-form': 'Every answer that says no has the documented form, and a code of the list.',
    'refuses-shape':
      'A request with an unknown field or value, a missing field, or a body that is no JSON is refused: invalid_request.',
    'refuses-type': 'A body of another content type is refused: unsupported_media_type.',
    'refuses-size': 'A body over its limit is refused: payload_too_large.',
    'refuses-paths':
      'A path it does not know is not_found, as is another version; another method is method_not_allowed.',
    'refuses-lease-ids': 'What is no lease id is refused as invalid_request; one that was never given, as stale_lease.',
  }),
  ...under('Registering', {
    'registers-runners': 'A runner that shows the registration token gets an id and a token of its own.',
    'refuses-strangers': 'Without the registration token nobody registers: unauthenticated.',
    'renews-tokens': 'A token that holds is renewed, for the same runner.',
    'refuses-tokens': 'No other token opens what is a runner’s: unauthenticated.',
  }),
  ...under('Waiting for work', {
    'answers-in-time': 'A lease request is answered when its seconds are over.',
    'bounds-the-wait': 'More than 30 seconds, or fewer than none, are refused.',
    'one-lease-each': 'A runner that holds a lease gets no other.',
  }),
  ...under('Taking the lease', {
    offers: 'A lease has the documented shape, times that allow for lost heartbeats, and no secrets for strangers.',
    'acknowledged-twice': 'An acknowledgement is taken, and its repeat answered alike.',
    'nothing-before': 'Heartbeats, artifacts and reports before the acknowledgement are refused: invalid_transition.',
    'lease-of-another':
      'A lease speaks for its own runner alone: whoever else has learned its id is refused as stale_lease.',
    'expires-unacknowledged':
      'A lease that is not acknowledged in time is over, and its job is offered again with a greater fence.',
  }),
  ...under('Heartbeats', {
    'keeps-the-lease': 'A heartbeat is answered with the lease’s life and whether to stop.',
    'expires-silent':
      'A lease without heartbeats is over when its life is, and its job is offered again with a greater fence.',
    'asks-to-cancel':
      'When its run is canceled a heartbeat hears it; the acknowledgement is taken once, and answered alike again.',
    'cancel-not-asked': 'A cancel that nobody asked for is not acknowledged: cancel_not_requested.',
  }),
  ...under('The log', {
    'appends-in-order': 'Chunks are taken at their offset, and the answer says where the log goes on.',
    'appends-once': 'A chunk that comes again, or overlaps what is there, changes nothing that is there.',
    'refuses-gaps': 'A chunk behind the end is refused with the offset that is expected: offset_mismatch.',
    'refuses-chunks':
      'An offset that is none, a chunk over a MiB, and another content type are refused, and the log stays as it was.',
  }),
  ...under('Artifacts', {
    'takes-artifacts': 'An artifact is taken by its digest, and again without harm.',
    'refuses-other-bytes': 'Bytes that have not the announced digest are refused: digest_mismatch.',
    'refuses-names': 'Names that lead out of a place or into .git are refused, as are unknown types and days.',
    'artifacts-stay': 'A name that has content keeps it: other content is refused as conflicting_repeat.',
    'grants-uploads':
      'A grant sends the bytes by exactly its requests, or is null; what was not sent is not recorded; none is for too much.',
  }),
  ...under('The report', {
    'takes-the-report': 'A report is taken, and its repeat answered alike.',
    'one-report': 'A second report with other content is refused: conflicting_repeat.',
    'refuses-reports': 'A report without the documented shape is refused, and the lease lives on.',
    'nothing-after': 'After the report heartbeats, logs and artifacts are refused: stale_lease.',
  }),
};

export type GatewayRequirement = keyof typeof GATEWAY_REQUIREMENTS;
