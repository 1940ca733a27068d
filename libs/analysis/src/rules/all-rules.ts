import { GO_RUST_PYTHON_RULES } from './go-rust-python.ts';
import { JAVASCRIPT_RULES } from './javascript.ts';
import { NETWORK_RULES } from './network.ts';
import { NPM_RULES } from './npm.ts';
import type { LogRule } from './rule.ts';
import { SYSTEM_RULES } from './system.ts';

/** All rules. Order does not matter: precedence does. */
export const ALL_RULES: readonly LogRule[] = [
  ...NPM_RULES,
  ...NETWORK_RULES,
  ...JAVASCRIPT_RULES,
  ...GO_RUST_PYTHON_RULES,
  ...SYSTEM_RULES,
];
