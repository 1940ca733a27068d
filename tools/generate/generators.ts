import { benchmarksGenerator } from './benchmarks.ts';
import { conformanceGenerator } from './conformance.ts';
import { configPageGenerator } from './config-page.ts';
import { configSchemaGenerator } from './config-schema.ts';
import type { Generator } from './generator.ts';
import { languageGenerator } from './language.ts';
import { openApiGenerator } from './open-api.ts';
import { stateMachinesGenerator } from './state-machines.ts';

/** Everything that is generated and checked in. */
export const generators: readonly Generator[] = [
  stateMachinesGenerator,
  languageGenerator,
  configSchemaGenerator,
  configPageGenerator,
  openApiGenerator,
  conformanceGenerator,
  benchmarksGenerator,
];
