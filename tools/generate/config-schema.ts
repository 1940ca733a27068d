import { CONFIG_FILE_NAMES, ConfigFile } from '@delta-ci/contracts';
import { z } from 'zod';
import type { Generator } from './generator.ts';

/** The JSON Schema of `delta.yaml`, for editors that complete and check while one types. */
export const configSchemaGenerator: Generator = {
  title: 'JSON Schema of the config file',
  files: () => Promise.resolve({ 'docs/reference/delta.schema.json': configSchemaText() }),
};

/** Draft 7: what the YAML language servers of today's editors know best. */
function configSchemaText(): string {
  const { $schema, ...schema } = z.toJSONSchema(ConfigFile, { target: 'draft-7', io: 'input' });
  const head = {
    $schema,
    title: `Delta CI configuration (${CONFIG_FILE_NAMES.join(', ')})`,
    description: 'What a repository runs, when its owners would rather say so than have it discovered.',
  };
  return `${JSON.stringify({ ...head, ...schema }, null, 2)}\n`;
}
