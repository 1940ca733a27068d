import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm';
import type { ProjectionName } from '../projections/rows.ts';
import { PROJECTION_NAMES, PROJECTION_TABLES, type ColumnType } from '../projections/tables.ts';

/**
 * Entities of the read model, one for each projection table and made from the same description, so that they cannot
 * drift apart from what the writer writes. Their rows are `ProjectionRows`. Used for reading only.
 */
export const ENTITIES: readonly EntitySchema[] = PROJECTION_NAMES.map(entityOf);

function entityOf(name: ProjectionName): EntitySchema {
  const { key, columns }: { key: readonly string[]; columns: Readonly<Record<string, ColumnType>> } =
    PROJECTION_TABLES[name];
  const options: Record<string, EntitySchemaColumnOptions> = {};
  for (const [column, type] of Object.entries(columns)) options[column] = columnOf(type, key.includes(column));
  return new EntitySchema({ name, columns: options });
}

function columnOf(type: ColumnType, primary: boolean): EntitySchemaColumnOptions {
  return { type, primary };
}
