import * as contracts from '@delta-ci/contracts';
import { z } from 'zod';

/** Says in a few words what a schema takes, for the tables of the reference. */

/** Schemas that have a name of their own in the contracts. */
const NAMES: ReadonlyMap<z.core.$ZodType, string> = new Map(
  Object.entries(contracts).flatMap(([name, value]): [z.core.$ZodType, string][] =>
    value instanceof z.ZodType ? [[value, name]] : [],
  ),
);

/** `a: string, b?: Change[]`: the members of an object, one text each. */
export function membersOf(schema: z.core.$ZodType): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape as Readonly<Record<string, z.core.$ZodType>>).map(
    ([name, member]) => `${name}${member instanceof z.ZodOptional ? '?' : ''}: ${shapeOf(member)}`,
  );
}

/** What the schema takes: a name from the contracts where it has one, else its structure. */
export function shapeOf(schema: z.core.$ZodType): string {
  return NAMES.get(schema) ?? wrappedShape(schema) ?? compositeShape(schema) ?? scalarShape(schema);
}

function wrappedShape(schema: z.core.$ZodType): string | null {
  if (schema instanceof z.ZodOptional) return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodNullable) return `${shapeOf(schema.unwrap())} or null`;
  if (schema instanceof z.ZodDefault) return shapeOf(schema.unwrap());
  if (schema instanceof z.ZodArray) return `list of ${shapeOf(schema.element)}`;
  return null;
}

function compositeShape(schema: z.core.$ZodType): string | null {
  if (schema instanceof z.ZodObject) return `{ ${membersOf(schema).join(', ')} }`;
  if (schema instanceof z.ZodRecord) return `map to ${shapeOf(schema.valueType)}`;
  if (schema instanceof z.ZodUnion) return schema.options.map(shapeOf).join(' or ');
  if (schema instanceof z.ZodEnum) return schema.options.join(' / ');
  if (schema instanceof z.ZodLiteral) return [...schema.values].map(String).join(' / ');
  return null;
}

function scalarShape(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodNumber) return schema.isInt ? 'integer' : 'number';
  if (schema instanceof z.ZodString) return 'string';
  if (schema instanceof z.ZodStringFormat) return schema.format ?? 'string';
  if (schema instanceof z.ZodBoolean) return 'boolean';
  if (schema instanceof z.ZodUnknown) return 'anything';
  throw new Error(`the reference has no words for ${JSON.stringify(z.toJSONSchema(schema))}`);
}
