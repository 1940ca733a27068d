import { z } from 'zod';
import {
  CancelRunRequest,
  CreateRunRequest,
  DeliveryAnswer,
  ParkedPageView,
  ParkedSettled,
  PlanAnswer,
  PoolView,
  RepositoryList,
  RepositoryPolicyView,
  RerunRequest,
  RunAnswer,
  RunArtifact,
  RunListQuery,
  RunPage,
  RunView,
  SettleParkedRequest,
  WEBHOOK_BODY_BYTES_MAX,
  WhyAnswer,
} from './api.ts';
import { AUDIT_ENDPOINTS } from './audit-endpoints.ts';
import { CACHE_ENDPOINTS } from './cache-api.ts';
import { DEBUG_ENDPOINTS } from './debug-endpoints.ts';
import { JSON_BODY_BYTES_MAX, REPEATABLE_HEADERS, type Endpoint } from './endpoint.ts';
import { EVENT_DATA } from './events.ts';
import { Digest, EpochMs, ForgeName, JobKey, PoolName, RepositoryId, RunId } from './ids.ts';
import { LOG_ENDPOINTS } from './log-endpoints.ts';
import { JobAtMoment, Moment, MomentView } from './moment.ts';
import { RunPolicy } from './policy.ts';
import { RECIPE_ENDPOINTS } from './recipe-api.ts';
import { RUNNER_ENDPOINTS } from './runner-endpoints.ts';

/**
 * Every HTTP route of the gateway as data: where it is, who may use it, what it takes and what it answers. The router,
 * the authorisation guard and the OpenAPI document are made from this one table.
 */

const ofRun = z.strictObject({ runId: RunId });
const ofJob = z.strictObject({ runId: RunId, jobKey: JobKey });
/** Query parameters are text; numbers are read from it. */
const wholeNumber = z.coerce.number().int();

/** The longest path there is, with `file:` before it. */
const SUBJECT_LENGTH_MAX = 4_101;

const feedQuery = z.strictObject({
  from: wholeNumber.nonnegative().optional().describe('Events after this log position; 0 is everything.'),
});
const feedHeaders = z.looseObject({
  'last-event-id': z.string().max(20).optional().describe('Goes on after this position; wins over `from`.'),
});

const deliveryHeaders = z.looseObject({
  'x-github-event': z.string().min(1).max(100),
  'x-github-delivery': z.string().min(1).max(100),
  'x-hub-signature-256': z.string().max(200),
});

const delivery = {
  method: 'POST',
  access: 'signature',
  headers: deliveryHeaders,
  body: { content: 'json', bytesMax: WEBHOOK_BODY_BYTES_MAX },
  answers: { 202: DeliveryAnswer },
  refusals: [
    'invalid_signature',
    'unknown_repository',
    'unsupported_event',
    'conflicting_repeat',
    'not_rerunnable',
    'rate_limited',
  ],
} as const;

const settleParked = {
  method: 'POST',
  access: 'operator',
  params: z.strictObject({ sequence: wholeNumber.positive() }),
  headers: REPEATABLE_HEADERS,
  body: { content: SettleParkedRequest, bytesMax: JSON_BODY_BYTES_MAX },
  answers: { 200: ParkedSettled },
  refusals: ['not_found', 'conflicting_repeat'],
} as const;

export const ENDPOINTS = {
  deliverGitHub: {
    ...delivery,
    path: '/api/v1/webhooks/github',
    summary: 'A GitHub delivery, for whichever configured forge its signature belongs to',
  },
  deliverGitHubTo: {
    ...delivery,
    path: '/api/v1/webhooks/github/:forge',
    summary: 'A GitHub delivery for the forge of that name',
    params: z.strictObject({ forge: ForgeName }),
  },
  listRepositories: {
    method: 'GET',
    path: '/api/v1/repositories',
    summary: 'Repositories that this installation serves',
    access: 'viewer',
    answers: { 200: RepositoryList },
    refusals: [],
  },
  createRun: {
    method: 'POST',
    path: '/api/v1/runs',
    summary: 'Evaluates a commit by hand',
    access: 'operator',
    headers: REPEATABLE_HEADERS,
    body: { content: CreateRunRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 202: RunAnswer },
    refusals: ['unknown_repository', 'conflicting_repeat'],
  },
  listRuns: {
    method: 'GET',
    path: '/api/v1/runs',
    summary: 'Runs, newest first',
    access: 'viewer',
    query: RunListQuery,
    answers: { 200: RunPage },
    refusals: [],
  },
  showRun: {
    method: 'GET',
    path: '/api/v1/runs/:runId',
    summary: 'One run with its jobs, attempts, artifacts and explanations',
    access: 'viewer',
    params: ofRun,
    answers: { 200: RunView },
    refusals: ['not_found'],
  },
  cancelRun: {
    method: 'POST',
    path: '/api/v1/runs/:runId/cancel',
    summary: 'Asks to cancel a run',
    access: 'operator',
    params: ofRun,
    headers: REPEATABLE_HEADERS,
    body: { content: CancelRunRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 202: RunAnswer },
    refusals: ['not_found', 'not_cancelable', 'conflicting_repeat'],
  },
  rerun: {
    method: 'POST',
    path: '/api/v1/runs/:runId/rerun',
    summary: 'Evaluates the same change again, in a run of its own',
    access: 'operator',
    params: ofRun,
    headers: REPEATABLE_HEADERS,
    body: { content: RerunRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 202: RunAnswer },
    refusals: ['not_found', 'not_rerunnable', 'conflicting_repeat'],
  },
  ...DEBUG_ENDPOINTS,
  showPlan: {
    method: 'GET',
    path: '/api/v1/runs/:runId/plan',
    summary: 'The plan of a run, with its digest',
    access: 'viewer',
    params: ofRun,
    answers: { 200: PlanAnswer },
    refusals: ['not_found'],
  },
  why: {
    method: 'GET',
    path: '/api/v1/runs/:runId/why/:job',
    summary: 'Why a job runs, or does not',
    access: 'viewer',
    params: z.strictObject({ runId: RunId, job: JobKey }),
    answers: { 200: WhyAnswer },
    refusals: ['not_found'],
  },
  whyNot: {
    method: 'GET',
    path: '/api/v1/runs/:runId/why-not/:subject',
    summary: 'Why a job, unit or changed file is in or out of the plan; `file:` and the like say which is meant',
    access: 'viewer',
    params: z.strictObject({ runId: RunId, subject: z.string().min(1).max(SUBJECT_LENGTH_MAX) }),
    answers: { 200: WhyAnswer },
    refusals: ['not_found'],
  },
  ...LOG_ENDPOINTS,
  listArtifacts: {
    method: 'GET',
    path: '/api/v1/runs/:runId/jobs/:jobKey/artifacts',
    summary: 'What the attempts of a job left behind',
    access: 'viewer',
    params: ofJob,
    answers: { 200: z.strictObject({ artifacts: z.array(RunArtifact) }) },
    refusals: ['not_found'],
  },
  downloadArtifact: {
    method: 'GET',
    path: '/api/v1/runs/:runId/jobs/:jobKey/artifacts/:digest',
    summary: 'The bytes of one recorded artifact, or where the store gives them for a few minutes',
    access: 'viewer',
    params: z.strictObject({ runId: RunId, jobKey: JobKey, digest: Digest }),
    answers: { 200: 'bytes', 302: null },
    refusals: ['not_found', 'gone'],
  },
  followRun: {
    method: 'GET',
    path: '/api/v1/runs/:runId/events',
    summary: 'Events of a run as server-sent events, from the first unless told',
    access: 'viewer',
    params: ofRun,
    query: feedQuery,
    headers: feedHeaders,
    answers: { 200: 'events' },
    refusals: ['not_found'],
  },
  followEvents: {
    method: 'GET',
    path: '/api/v1/events',
    summary: 'All events as server-sent events; without a position, those from now on',
    access: 'viewer',
    query: feedQuery,
    headers: feedHeaders,
    answers: { 200: 'events' },
    refusals: [],
  },
  showMoment: {
    method: 'GET',
    path: '/api/v1/at/:moment',
    summary: 'Queue, leases, runners and runs as they stood at a log position or a time; runs in pages, oldest first',
    access: 'viewer',
    params: z.strictObject({ moment: Moment }),
    query: z.strictObject({
      limit: wholeNumber.min(1).max(500).default(100),
      cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
    }),
    answers: { 200: MomentView },
    refusals: ['not_found'],
  },
  showJobAtMoment: {
    method: 'GET',
    path: '/api/v1/at/:moment/runs/:runId/jobs/:jobKey',
    summary: 'How a job stood at a moment, and why it was waiting then',
    access: 'viewer',
    params: z.strictObject({ moment: Moment, ...ofJob.shape }),
    answers: { 200: JobAtMoment },
    refusals: ['not_found'],
  },
  listPools: {
    method: 'GET',
    path: '/api/v1/pools',
    summary: 'Pools with their demand and their latest decision',
    access: 'viewer',
    answers: { 200: z.strictObject({ pools: z.array(PoolView) }) },
    refusals: [],
  },
  listPoolDecisions: {
    method: 'GET',
    path: '/api/v1/pools/:pool/decisions',
    summary: 'Scaling decisions of a pool, newest first',
    access: 'viewer',
    params: z.strictObject({ pool: PoolName }),
    query: z.strictObject({ limit: wholeNumber.min(1).max(200).default(50) }),
    answers: {
      200: z.strictObject({
        decisions: z.array(EVENT_DATA['scaling.decided'].omit({ inputs: true }).extend({ decidedAtMs: EpochMs })),
      }),
    },
    refusals: [],
  },
  listParked: {
    method: 'GET',
    path: '/api/v1/parked',
    summary: 'Messages that could not be handled and wait for a person, in the order they were parked',
    access: 'operator',
    query: z.strictObject({
      from: wholeNumber.positive().default(1).describe('From this sequence on; `nextSequence` of the page before.'),
      limit: wholeNumber.min(1).max(200).default(50),
    }),
    answers: { 200: ParkedPageView },
    refusals: ['unavailable'],
  },
  retryParked: {
    ...settleParked,
    path: '/api/v1/parked/:sequence/retry',
    summary: 'Delivers a parked message again, with all its tries',
  },
  dropParked: {
    ...settleParked,
    path: '/api/v1/parked/:sequence/drop',
    summary: 'Forgets a parked message',
  },
  showPolicy: {
    method: 'GET',
    path: '/api/v1/policies/:repository',
    summary: 'What is set for the runs of a repository',
    access: 'viewer',
    params: z.strictObject({ repository: RepositoryId }),
    answers: { 200: RepositoryPolicyView },
    refusals: ['unknown_repository'],
  },
  setPolicy: {
    method: 'PUT',
    path: '/api/v1/policies/:repository',
    summary: 'Sets the policy of a repository for runs from now on; what is left out falls back to the defaults',
    access: 'admin',
    params: z.strictObject({ repository: RepositoryId }),
    headers: REPEATABLE_HEADERS,
    body: { content: RunPolicy.partial(), bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: RepositoryPolicyView },
    refusals: ['unknown_repository', 'conflicting_repeat'],
  },
  ...AUDIT_ENDPOINTS,
  openApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description',
    access: 'anyone',
    answers: { 200: 'json' },
    refusals: [],
  },
  openIdConfiguration: {
    method: 'GET',
    path: '/.well-known/openid-configuration',
    summary: 'Who issues the identity tokens of jobs, and where its keys are (OpenID Connect Discovery)',
    access: 'anyone',
    answers: { 200: 'json' },
    refusals: ['not_found'],
  },
  jsonWebKeySet: {
    method: 'GET',
    path: '/.well-known/jwks.json',
    summary:
      'The keys that identity tokens are signed with: past ones whose tokens may hold, the current and the next one',
    access: 'anyone',
    answers: { 200: 'json' },
    refusals: ['not_found'],
  },
  ...RECIPE_ENDPOINTS,
  ...CACHE_ENDPOINTS,
  ...RUNNER_ENDPOINTS,
} as const satisfies Readonly<Record<string, Endpoint>>;

export type EndpointName = keyof typeof ENDPOINTS;
