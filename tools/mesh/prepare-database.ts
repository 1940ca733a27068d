import { randomBytes } from 'node:crypto';
import { migrate, provisionRoles } from '@delta-ci/event-log';

/**
 * Brings a database to this version, and gives its application roles passwords that nobody had before: whoever used the last
 * ones cannot log in again.
 * @param adminUrl a role that may create roles, and create in the database
 * @returns the addresses for the orchestrator, and for everybody who reads
 */
export async function prepareDatabase(adminUrl: string): Promise<{ orchestrator: string; reader: string }> {
  await migrate({ adminUrl });
  const passwords = { orchestrator: randomBytes(24).toString('hex'), reader: randomBytes(24).toString('hex') };
  const { orchestratorUrl, readerUrl } = await provisionRoles({ adminUrl, passwords });
  return { orchestrator: orchestratorUrl, reader: readerUrl };
}
