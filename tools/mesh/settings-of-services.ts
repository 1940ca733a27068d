import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { SERVICE_NAMES, type ServiceName } from './service-table.ts';

/** Who reads variables: the services, and the runners that the controller starts. */
export type ReaderName = ServiceName | 'runner';
/** Of each reader what it reads, as its own `config.ts` has it. */
export type SettingsOfServices = Readonly<Record<ReaderName, z.ZodObject>>;

/** Where an app that was built has its settings. */
export const builtConfig = (root: string, app: string): string => join(root, 'apps', app, 'dist', 'config.js');

/**
 * What the services and the runner read from their environments. Apps have no door, so their settings are loaded by path
 * (decision 0038): a list of our own would be wrong with the next setting.
 * @param fileOf where an app has the module with its settings
 */
export async function settingsOfServices(fileOf: (app: ReaderName) => string): Promise<SettingsOfServices> {
  const readers: readonly ReaderName[] = [...SERVICE_NAMES, 'runner'];
  const entries = readers.map(async (app) => [app, await settingsIn(fileOf(app))] as const);
  return Object.fromEntries(await Promise.all(entries)) as Record<ReaderName, z.ZodObject>;
}

async function settingsIn(file: string): Promise<z.ZodObject> {
  const module = (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  const [settings, ...more] = Object.values(module).filter((value) => value instanceof z.ZodObject);
  if (settings === undefined || more.length > 0) throw new Error(`${file} does not export the settings of one app`);
  return settings;
}
