import { describe, expect, it } from '@jest/globals';
import { createLogger } from '../logging/create-logger.ts';
import { createRedactor } from '../logging/redaction.ts';
import { Health } from './health.ts';

function recorded(checkTimeoutMs?: number): { health: Health; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const redactor = createRedactor();
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ service: 's', instance: 'i', level: 'info', pretty: false, redactor, sink });
  return { health: new Health(logger, redactor, checkTimeoutMs), lines };
}

describe('readiness', () => {
  it('is ready without checks, and not ready when any check fails', async () => {
    const { health } = recorded();
    expect(await health.readiness()).toEqual({ status: 'ready', checks: [] });
    health.check('database', () => undefined);
    health.check('bus', () => Promise.reject(new Error('no route to nats://u:p@127.0.0.1')));
    expect(await health.readiness()).toEqual({
      status: 'not_ready',
      checks: [
        { name: 'database', state: 'ok' },
        { name: 'bus', state: 'failed', reason: 'no route to nats://[redacted]@127.0.0.1' },
      ],
    });
  });

  it('counts a check that does not answer as failed, and tells the check', async () => {
    const { health } = recorded(5);
    let told = false;
    health.check('stuck', (signal) => {
      signal.addEventListener('abort', () => (told = true));
      return new Promise<void>(() => undefined);
    });
    expect(await health.readiness()).toMatchObject({
      status: 'not_ready',
      checks: [{ reason: 'no answer within 5 ms' }],
    });
    expect(told).toBe(true);
  });

  it('is draining once told so, whatever the checks say, and logs changes only', async () => {
    const { health, lines } = recorded();
    await health.readiness();
    health.drain();
    await health.readiness();
    expect(await health.readiness()).toEqual({ status: 'draining', checks: [] });
    expect(lines).toMatchObject([{ event: 'readiness-changed', status: 'draining' }]);
  });

  it('refuses a second check of the same name', () => {
    const { health } = recorded();
    health.check('bus', () => undefined);
    expect(() => health.check('bus', () => undefined)).toThrow('already a health check named bus');
  });
});
