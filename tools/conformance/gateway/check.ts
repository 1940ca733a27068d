import type { Bench } from './bench.ts';
import type { GatewayRequirement } from './requirements.ts';

/** A conversation with a gateway, and what is judged of it. */
export interface Check {
  readonly name: string;
  readonly judges: readonly GatewayRequirement[];
  readonly play: (bench: Bench) => Promise<void>;
}
