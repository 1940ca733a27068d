import { CONFIG_FILE_NAMES, ConfigFile } from '@delta-ci/contracts';
import { z } from 'zod';
import { CONFIG_DESCRIPTIONS } from './config-descriptions.ts';
import type { Generator } from './generator.ts';

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** The JSON Schema of `delta.yaml`, for editors that complete and check while one types. */
export const configSchemaGenerator: Generator = {
  title: 'JSON Schema of the config file',
  files: () => Promise.resolve({ 'docs/reference/delta.schema.json': configSchemaText() }),
};

/** Draft 7: what the YAML language servers of today's editors know best. Not described yet. */
export function configSchema(): JsonSchema {
  return z.toJSONSchema(ConfigFile, { target: 'draft-7', io: 'input' });
}

function configSchemaText(): string {
  const { $schema, ...schema } = configSchema();
  const head = {
    $schema,
    title: `Delta CI configuration (${CONFIG_FILE_NAMES.join(', ')})`,
    description: 'What a repository runs, when its owners would rather say so than have it discovered.',
  };
  const unused = new Set(Object.keys(CONFIG_DESCRIPTIONS));
  const described = describeMembers(schema, [], unused);
  if (unused.size > 0) throw new Error(`the config file has no ${[...unused].join(', ')}`);
  return `${JSON.stringify({ ...head, ...described }, null, 2)}\n`;
}

/** The schema with a description for every key a person can write. */
function describeMembers(schema: JsonSchema, path: readonly string[], unused: Set<string>): JsonSchema {
  const described = { ...schema };
  if (schema.properties !== undefined) {
    described.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, member]) => [name, describe(member, [...path, name], unused)]),
    );
  }
  const anyPath = [...path, '*'];
  if (typeof schema.additionalProperties === 'object') {
    described.additionalProperties = describeMembers(schema.additionalProperties, anyPath, unused);
  }
  if (typeof schema.items === 'object' && !Array.isArray(schema.items)) {
    described.items = describeMembers(schema.items, anyPath, unused);
  }
  return described;
}

function describe(member: JsonSchema | boolean, path: readonly string[], unused: Set<string>): JsonSchema | boolean {
  if (typeof member === 'boolean') return member;
  const key = path.join('.');
  const description = CONFIG_DESCRIPTIONS[key];
  if (description === undefined) throw new Error(`nobody says what ${key} of the config file is for`);
  unused.delete(key);
  return { description, ...describeMembers(member, path, unused) };
}
