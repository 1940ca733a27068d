import type { Measure } from './measure.ts';
import { append } from './measures/append.ts';
import { connections } from './measures/connections.ts';
import { heartbeats } from './measures/heartbeats.ts';
import { jobsBus } from './measures/jobs-bus.ts';
import { jobsHttp } from './measures/jobs-http.ts';
import { overload } from './measures/overload.ts';
import { peers } from './measures/peers.ts';
import { replay } from './measures/replay.ts';
import { webhookToLease } from './measures/webhook-to-lease.ts';

/** Everything that can be measured, in the order it is. Add one by adding its file to this list. */
export const MEASURES: readonly Measure[] = [
  append,
  replay,
  jobsBus,
  jobsHttp,
  webhookToLease,
  heartbeats,
  connections,
  overload,
  peers,
];
