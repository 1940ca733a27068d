export { readAllowList, type AllowList, type ReadAllowList } from './allow-list.ts';
export { readRanges, type Ranges } from './judge-address.ts';
export type { EgressPolicy } from './decide-egress.ts';
export { EgressProxy, type EgressProxyOptions } from './egress-proxy.ts';
export { resolveName } from './resolve-name.ts';
export { DEFAULT_EGRESS_LIMITS, type EgressLimits, type ResolveName, type UpstreamProxy } from './settings.ts';
