import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ENDPOINTS } from '@delta-ci/contracts';
import type { Request } from './exchange.ts';
import { refusedWith } from './refused.ts';

/** Parameter: the client's `Idempotency-Key`; undefined when it sent none. */
export const IdempotencyKey = createParamDecorator((_data: unknown, context: ExecutionContext): string | undefined => {
  const { headers } = context.switchToHttp().getRequest<Request>();
  const parsed = ENDPOINTS.createRun.headers.safeParse(headers);
  if (!parsed.success) throw refusedWith('invalid_request', 'Idempotency-Key: expected 1 to 200 characters');
  return parsed.data['idempotency-key'];
});
