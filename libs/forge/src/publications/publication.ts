import type { Digest, RunOutcome } from '@delta-ci/contracts';

/** Words of the forge's checks; GitHub's, which the others are translated from. */
export type CheckStatus = 'queued' | 'in_progress' | 'completed';
export type CheckConclusion = 'success' | 'failure' | 'neutral' | 'cancelled' | 'timed_out' | 'skipped';

/** A remark at a line of the change. */
export interface Annotation {
  /** Relative to the root of the repository. */
  path: string;
  /** 1-based. */
  line: number;
  level: 'failure' | 'warning';
  title: string;
  message: string;
}

/** A button beside a check; pressing it comes back as a webhook with the identifier. */
export interface CheckAction {
  label: string;
  description: string;
  identifier: string;
}

/** What the forge shall show in one place. */
export interface CheckContent {
  name: string;
  /** Ours, and the same for ever: what a check is found again by after a crash. */
  externalId: string;
  headSha: string;
  detailsUrl: string;
  status: CheckStatus;
  /** Null exactly when the status is not `completed`. */
  conclusion: CheckConclusion | null;
  startedAtMs: number | null;
  completedAtMs: number | null;
  title: string;
  /** Markdown, within the forge's limit. */
  summary: string;
  text: string;
  annotations: Annotation[];
  actions: CheckAction[];
}

/** One publication as it should be. */
export interface Publication {
  /** As in `publication.recorded`: `check:delta-ci`, `check:<job key>`. */
  target: string;
  /** Of the content: the same digest means that nothing has to be sent. */
  digest: Digest;
  /** The run's outcome when this is the gate in its final state; null otherwise. */
  final: RunOutcome | null;
  content: CheckContent;
}

/** Where people can read more. */
export interface PublicationLinks {
  /** Address of the gateway, without a slash at the end. */
  gatewayUrl: string;
}

/** The one check that is always there: branch protection asks for this name. */
export const GATE_NAME = 'delta-ci';
export const GATE_TARGET = `check:${GATE_NAME}`;

/** GitHub's own limit for summary and text, in characters; counted in bytes here, which is never more. */
export const TEXT_BYTES_MAX = 65_535;
/** GitHub's own limit of buttons. */
export const ACTIONS_MAX = 3;
/** GitHub's own limit of annotations in one request. */
export const ANNOTATIONS_PER_REQUEST_MAX = 50;
