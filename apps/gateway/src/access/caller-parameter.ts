import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { Request } from '../http/exchange.ts';
import type { AccessCaller, RunnerCaller } from './caller.ts';

/** Parameter: the runner that the guard let in. */
export const CallingRunner = createParamDecorator((_data: unknown, context: ExecutionContext): RunnerCaller => {
  const { caller } = context.switchToHttp().getRequest<Request>();
  if (caller?.kind !== 'runner') throw new Error('only routes for runners have a calling runner');
  return caller;
});

/** Parameter: the person or machine that the guard let in. */
export const CallingPerson = createParamDecorator((_data: unknown, context: ExecutionContext): AccessCaller => {
  const { caller } = context.switchToHttp().getRequest<Request>();
  if (caller?.kind !== 'access') throw new Error('only routes with a role have a calling person');
  return caller;
});
