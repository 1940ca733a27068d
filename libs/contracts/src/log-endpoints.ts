import { z } from 'zod';
import type { Endpoint } from './endpoint.ts';
import { AttemptNumber, JobKey, RunId } from './ids.ts';
import { LOG_BYTES_MAX } from './runner-protocol.ts';

const wholeNumber = z.coerce.number().int();

/** Lines of a log by their numbers, from 1 and both inclusive; `7` is one line and `7-` is all from there on. */
const LogLines = z
  .string()
  .regex(/^[1-9]\d{0,8}(-([1-9]\d{0,8})?)?$/, 'expected lines such as 120, 100-200 or 100-')
  .refine((text) => {
    const [first, last] = text.split('-').map(Number);
    return last === undefined || last === 0 || last >= (first ?? 0);
  }, 'the last line is before the first')
  .describe(
    'Lines such as `120`, `100-200` or `100-`. Answered with `X-Delta-Lines: first-last/total`; a line over 64 KiB is cut.',
  );

/** Reading the logs of attempts. */
export const LOG_ENDPOINTS = {
  showLog: {
    method: 'GET',
    path: '/api/v1/runs/:runId/jobs/:jobKey/log',
    summary: 'The log of an attempt, the latest unless told; `follow` streams it as server-sent events until it ends',
    access: 'viewer',
    params: z.strictObject({ runId: RunId, jobKey: JobKey }),
    query: z
      .strictObject({
        attempt: z.coerce.number().pipe(AttemptNumber).optional(),
        offset: wholeNumber.nonnegative().optional().describe('Bytes to leave out.'),
        lines: LogLines.optional(),
        tail: wholeNumber
          .nonnegative()
          .max(LOG_BYTES_MAX)
          .optional()
          .describe('So many lines before the end; what is followed begins there.'),
        follow: z.enum(['0', '1']).optional(),
      })
      .refine(({ offset, lines, tail }) => [offset, lines, tail].filter((each) => each !== undefined).length <= 1, {
        message: 'only one of offset, lines and tail',
      })
      .refine(({ lines, follow }) => lines === undefined || follow !== '1', {
        message: 'lines are not followed: ask for a tail',
      }),
    headers: z.looseObject({
      range: z.string().max(200).optional(),
      'last-event-id': z.string().max(20).optional().describe('Goes on at this byte offset; wins over `offset`.'),
    }),
    answers: { 200: 'text', 206: 'text' },
    refusals: ['not_found', 'range_not_satisfiable'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
