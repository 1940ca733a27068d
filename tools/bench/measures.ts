import type { Measure } from './measure.ts';
import { append } from './measures/append.ts';
import { cacheTransfer } from './measures/cache-transfer.ts';
import { artifacts } from './measures/artifacts.ts';
import { connections } from './measures/connections.ts';
import { firstJob } from './measures/first-job.ts';
import { growth } from './measures/growth.ts';
import { heartbeats } from './measures/heartbeats.ts';
import { idle } from './measures/idle.ts';
import { inFlight } from './measures/in-flight.ts';
import { jobOverhead } from './measures/job-overhead.ts';
import { jobsBus } from './measures/jobs-bus.ts';
import { jobsHttp } from './measures/jobs-http.ts';
import { logBulk } from './measures/log-bulk.ts';
import { logFollow } from './measures/log-follow.ts';
import { overload } from './measures/overload.ts';
import { peers } from './measures/peers.ts';
import { plan } from './measures/plan.ts';
import { planPeers } from './measures/plan-peers.ts';
import { recovery } from './measures/recovery.ts';
import { relay } from './measures/relay.ts';
import { replay } from './measures/replay.ts';
import { sandboxTrue } from './measures/sandbox-true.ts';
import { webhookToLease } from './measures/webhook-to-lease.ts';
import { whatIf } from './measures/what-if.ts';

/** Everything that can be measured, in the order it is. Add one by adding its file to this list. */
export const MEASURES: readonly Measure[] = [
  append,
  replay,
  inFlight,
  jobsBus,
  jobsHttp,
  webhookToLease,
  plan,
  whatIf,
  sandboxTrue,
  jobOverhead,
  heartbeats,
  relay,
  logFollow,
  logBulk,
  cacheTransfer,
  artifacts,
  recovery,
  idle,
  firstJob,
  growth,
  connections,
  overload,
  peers,
  planPeers,
];
