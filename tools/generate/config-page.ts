import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseConfigFile } from '@delta-ci/planning';
import { repositoryRoot } from './checked-in.ts';
import { CONFIG_DEFAULTS } from './config-defaults.ts';
import { CONFIG_DESCRIPTIONS } from './config-descriptions.ts';
import { configSchema, type JsonSchema } from './config-schema.ts';
import { generatedFrom, type Generator } from './generator.ts';
import { code, page, table } from './markdown.ts';
import { yamlInLine } from './yaml-in-line.ts';

const EXAMPLE = 'docs/examples/delta.yaml';

/** Every key of the config file, for people: what it takes, what holds without it, and an example that is linted. */
export const configPageGenerator: Generator = {
  title: 'keys of the config file',
  files: async () => ({
    'docs/reference/delta-yaml.md': await page(
      generatedFrom('`libs/contracts/src/config-file.ts` and `docs/examples/delta.yaml`'),
      '# Keys of `delta.yaml`\n\n',
      '[delta-yaml.md](../delta-yaml.md) says how the file is read and what belongs together; ',
      '[delta.yaml](../examples/delta.yaml) has all of these examples in one file. A key in **bold** has to be there.\n\n',
      ...sectionsOf(configSchema(), await readExample()),
    ),
  }),
};

async function readExample(): Promise<unknown> {
  const parsed = parseConfigFile(await readFile(join(repositoryRoot, EXAMPLE), 'utf8'), EXAMPLE);
  if (parsed.ok) return parsed.file;
  throw new Error(parsed.problems.map(({ line, message }) => `${EXAMPLE}:${line}: ${message}`).join('\n'));
}

/** One for each place of the file that has keys, in the order in which it has them. */
function sectionsOf(schema: JsonSchema, example: unknown): string[] {
  const unused = new Set(Object.keys(CONFIG_DEFAULTS));
  const sections = [...placesOf(schema, [])].map(({ path, properties, required }) => {
    const rows = Object.entries(properties).map(([name, member]) => {
      const at = [...path, name];
      unused.delete(at.join('.'));
      return rowOf(at, member, required.includes(name), example);
    });
    return `## ${path.length === 0 ? 'The file' : code(titleOf(path))}\n\n${table(['key', 'what it takes', 'left out', 'for example', 'what it is for'], rows)}`;
  });
  if (unused.size > 0) throw new Error(`the config file has nothing to leave out at ${[...unused].join(', ')}`);
  return sections;
}

interface Place {
  readonly path: readonly string[];
  readonly properties: Readonly<Record<string, JsonSchema>>;
  readonly required: readonly string[];
}

function* placesOf(schema: JsonSchema, path: readonly string[]): Iterable<Place> {
  const properties = (schema.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  if (Object.keys(properties).length > 0) yield { path, properties, required: schema.required ?? [] };
  for (const [name, member] of Object.entries(properties)) yield* placesOf(member, [...path, name]);
  for (const below of [schema.additionalProperties, schema.items]) {
    if (typeof below === 'object' && !Array.isArray(below)) yield* placesOf(below, [...path, '*']);
  }
}

function rowOf(path: readonly string[], member: JsonSchema, required: boolean, example: unknown): string[] {
  const key = path.join('.');
  const name = path.at(-1) ?? '';
  const whatFor = CONFIG_DESCRIPTIONS[key] ?? '';
  const linked = linkBelow(path, member);
  if (linked !== null)
    return [required ? `**${code(name)}**` : code(name), linked, CONFIG_DEFAULTS[key] ?? '', '', whatFor];
  const found = valuesAt(example, path)[0];
  if (found === undefined) throw new Error(`${EXAMPLE} has no ${key}`);
  const left = required ? 'has to be there' : CONFIG_DEFAULTS[key];
  if (left === undefined) throw new Error(`nobody says what holds without ${key} of the config file`);
  return [
    required ? `**${code(name)}**` : code(name),
    takes(member),
    left,
    code(`${name}: ${yamlInLine(found)}`),
    whatFor,
  ];
}

/** To the section with the keys below this one; null when it has none. */
function linkBelow(path: readonly string[], member: JsonSchema): string | null {
  const [below] = [...placesOf(member, path)];
  if (below === undefined) return null;
  const title = titleOf(below.path);
  const anchor = title.toLowerCase().replaceAll(/[^a-z0-9_-]/gu, '');
  const how = member.type === 'array' ? 'a list of ' : below.path.length > path.length ? 'by name: ' : '';
  return `${how}[keys](#${anchor})`;
}

/** `jobs.NAME.artifacts[]`: how a place is called where the names in it are anybody's. */
const titleOf = (path: readonly string[]): string =>
  path.reduce((title, part, at) => {
    if (part !== '*') return title === '' ? part : `${title}.${part}`;
    return ['artifacts', 'caches'].includes(path[at - 1] ?? '') ? `${title}[]` : `${title}.NAME`;
  }, '');

/** What stands at a path of the example; `*` is whatever name or entry there is. */
function valuesAt(value: unknown, [first, ...rest]: readonly string[]): unknown[] {
  if (first === undefined) return value === undefined ? [] : [value];
  if (typeof value !== 'object' || value === null) return [];
  const below = first === '*' ? Object.values(value) : [(value as Readonly<Record<string, unknown>>)[first]];
  return below.flatMap((each) => valuesAt(each, rest));
}

/** A schema in words. */
function takes(schema: JsonSchema): string {
  if (schema.const !== undefined) return code(String(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((word) => code(String(word))).join(', ');
  if (schema.anyOf !== undefined) return (schema.anyOf as JsonSchema[]).map(takes).join(', or ');
  const { type } = schema;
  if (type === 'boolean') return `${code('true')} or ${code('false')}`;
  if (type === 'integer') return `a whole number${boundsOf(schema.minimum, schema.maximum)}`;
  if (type === 'number') return `a number${boundsOf(schema.minimum, schema.maximum)}`;
  if (type === 'array') return `a list: ${takes(schema.items as JsonSchema)}${mostOf(schema.maxItems)}`;
  if (type === 'object') return `by name: ${takes(schema.additionalProperties as JsonSchema)}`;
  return schema.pattern === undefined ? 'text' : `text like ${code(schema.pattern)}`;
}

const boundsOf = (min: number | undefined, max: number | undefined): string =>
  min === undefined || max === undefined ? '' : ` from ${min} to ${max}`;

const mostOf = (max: number | undefined): string => (max === undefined ? '' : `; at most ${max}`);
