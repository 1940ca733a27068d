import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createLogger } from '../logging/create-logger.ts';
import { createRedactor } from '../logging/redaction.ts';
import { startTracing, type Tracing } from './start-tracing.ts';
import { continueTrace, contextFrom, traceparentFrom, traceparentOf, withTraceHeaders } from './trace-context.ts';
import { withSpan } from './with-span.ts';

const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const TRACE = PARENT.slice(3, 35);

let tracing: Tracing;
const lines: Record<string, unknown>[] = [];

beforeAll(() => {
  const redactor = createRedactor();
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ service: 's', instance: 'i', level: 'info', pretty: false, redactor, sink });
  const config = { traceExporter: 'console', traceEndpoint: 'http://127.0.0.1:1/v1/traces' } as const;
  tracing = startTracing({ config, resource: emptyResource(), logger, redactor });
});

afterAll(() => tracing.stop());

describe('a trace that travels', () => {
  it('goes through headers, an event and another process as one trace', async () => {
    const published = await withSpan('accept-delivery', {}, async () => withTraceHeaders({ accept: '*/*' }));
    expect(published).toEqual({
      accept: '*/*',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });

    const inEvent = traceparentFrom(published);
    const onward = await withSpan('on-run-created', { parent: inEvent, kind: 'consumer' }, () => traceparentOf());
    expect(onward?.slice(3, 35)).toBe(inEvent?.slice(3, 35));
    expect(onward).not.toBe(inEvent);
  });

  it('nests spans over awaited work', async () => {
    await withSpan('outer', { parent: PARENT }, async () => {
      const outer = traceparentOf();
      await Promise.resolve();
      expect(traceparentOf()).toBe(outer);
      await withSpan('inner', {}, () => expect(traceparentOf()?.slice(3, 35)).toBe(TRACE));
    });
  });

  it('can be continued without a span of its own', () => {
    expect(continueTrace(PARENT, () => traceparentOf())).toBe(PARENT);
    expect(traceparentOf(contextFrom(PARENT))).toBe(PARENT);
  });

  it('starts anew when there is none or it is malformed', async () => {
    expect(traceparentOf(ROOT_CONTEXT)).toBeUndefined();
    expect(withTraceHeaders()).toEqual({});
    expect(contextFrom('garbage')).toBe(context.active());
    expect(traceparentFrom({ traceparent: '00-short-00-01' })).toBeUndefined();
    expect(traceparentFrom({ traceparent: [PARENT, 'other'] })).toBe(PARENT);
    expect(traceparentFrom({})).toBeUndefined();
    const fresh = await withSpan('fresh', { parent: 'garbage' }, () => traceparentOf());
    expect(fresh).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('marks a span whose work throws, and passes the failure on', async () => {
    const failing = withSpan('doomed', { parent: PARENT }, () => Promise.reject(new Error('Bearer fakefakefakefake')));
    await expect(failing).rejects.toThrow('fakefake');
    await tracing.stop();
    expect(lines.find(({ span }) => span === 'doomed')).toMatchObject({ trace_id: TRACE, failed: 'Bearer [redacted]' });
  });
});
