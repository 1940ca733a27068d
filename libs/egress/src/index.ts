export { readAllowList } from './allow-list.ts';
export { readRanges } from './judge-address.ts';
export { openJobEgress, type EgressBounds, type JobEgress } from './job-egress.ts';
export { resolveName } from './resolve-name.ts';
export { upstreamAt, type ResolveName, type UpstreamProxy } from './settings.ts';
