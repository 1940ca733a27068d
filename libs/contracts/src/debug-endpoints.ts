import { z } from 'zod';
import { RunAnswer } from './api.ts';
import { DebugInput, DebugRequest } from './debug.ts';
import { JSON_BODY_BYTES_MAX, REPEATABLE_HEADERS, type Endpoint } from './endpoint.ts';
import { JobKey, RunId } from './ids.ts';

/** Routes for operators who look into a job that failed. */
export const DEBUG_ENDPOINTS = {
  debug: {
    method: 'POST',
    path: '/api/v1/runs/:runId/jobs/:jobKey/debug',
    summary:
      'Runs a job that failed again, in a run that counts for nothing, with a shell for the caller where it fails',
    access: 'operator',
    params: z.strictObject({ runId: RunId, jobKey: JobKey }),
    headers: REPEATABLE_HEADERS,
    body: { content: DebugRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 202: RunAnswer },
    refusals: ['not_found', 'not_rerunnable', 'conflicting_repeat'],
  },
  typeIntoDebug: {
    method: 'POST',
    path: '/api/v1/runs/:runId/debug/input',
    summary:
      'What the operator who asked for it types into the shell of a run; what it shows is in the log of the attempt',
    access: 'operator',
    params: z.strictObject({ runId: RunId }),
    body: { content: DebugInput, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 202: z.strictObject({}) },
    refusals: ['not_found', 'unavailable'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
