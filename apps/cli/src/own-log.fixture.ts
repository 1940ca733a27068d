import { generateKeyPairSync } from 'node:crypto';
import {
  CHECKPOINT_STREAM,
  type Checkpoint,
  type DomainEvent,
  type ProposedPlan,
  type StreamId,
} from '@delta-ci/contracts';
import { LogWriter, migrate, openLog, provisionRoles, whatIsThereToSign, type SigningKey } from '@delta-ci/event-log';
import { freshDatabase } from '../../../test/support/infra/index.ts';

const PASSWORDS = { orchestrator: 'not-a-secret-orchestrator', reader: 'not-a-secret-reader' };

/** A private key, as text. */
export const newPem = (): string =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** A log in a database of its own, which a spec writes as it likes. */
export interface OwnLog {
  readonly adminUrl: string;
  readonly readerUrl: string;
  /** Appends to one stream. @returns the last record's position */
  append(stream: StreamId, events: readonly DomainEvent[], plans?: ProposedPlan[]): Promise<number>;
  /** Signs the log as far as it goes, and records that. */
  sign(key: SigningKey): Promise<Checkpoint>;
  drop(): Promise<void>;
}

export async function ownLog(): Promise<OwnLog> {
  const database = await freshDatabase();
  await migrate({ adminUrl: database.adminUrl });
  const { orchestratorUrl, readerUrl } = await provisionRoles({ adminUrl: database.adminUrl, passwords: PASSWORDS });
  const log = await openLog({ databaseUrl: orchestratorUrl, applicationName: 'spec' });
  const writer = new LogWriter({ pool: log.pool });
  const append: OwnLog['append'] = async (stream, events, plans = []) => {
    const runs = stream.startsWith('run-') ? [stream.slice('run-'.length)] : [];
    const decide = () => ({ appends: [{ stream, events }], plans, answer: { ok: true as const, result: {} } });
    const actor = { kind: 'service', name: 'test' } as const;
    const answer = await writer.submit({ id: stream, actor, causation: 'test', traceparent: null, runs, decide });
    if (!answer.ok) throw new Error(answer.refusal.message);
    return answer.position;
  };
  return {
    adminUrl: database.adminUrl,
    readerUrl,
    append,
    sign: async (key) => {
      const { claim } = await whatIsThereToSign(log);
      if (claim === null) throw new Error('there is nothing to sign');
      const checkpoint = key.sign(claim);
      await append(CHECKPOINT_STREAM, [{ type: 'checkpoint.signed', data: checkpoint }]);
      return checkpoint;
    },
    drop: async () => {
      await writer.close();
      await log.close();
      await database.drop();
    },
  };
}
