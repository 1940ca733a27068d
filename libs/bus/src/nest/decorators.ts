import type { Command, CommandName, EventType, RecordedEventOf, Report, ReportKind } from '@delta-ci/contracts';
import { Catch, UseFilters, type RpcExceptionFilter } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { throwError, type Observable } from 'rxjs';
import type { CommandAnswerOf } from '../commands.ts';
import type { DeliveryContext } from '../consume-events.ts';

/**
 * Typed decorators for the methods of Nest controllers. The checker refuses a method whose parameter is not the event
 * (report, command) of the name, and a command handler that answers with another command's result.
 */

type Handles<M> = <F extends M>(target: object, key: string | symbol, descriptor: TypedPropertyDescriptor<F>) => void;

/** Which kind of message a pattern names; the rest of the pattern is the event's type, report's kind, command's name. */
export const PATTERN_PREFIX = { event: 'event:', report: 'report:', command: 'command:' } as const;

/** Lets a handler's own error reach the bus, where Nest would put `Internal server error` in its place. */
@Catch()
class ErrorReachesTheBus implements RpcExceptionFilter {
  catch(error: unknown): Observable<never> {
    return throwError(() => error);
  }
}

/** Marks the method, and its first two parameters, so that they need no decorators of their own. */
function marked<M>(pattern: MethodDecorator): Handles<M> {
  return (target, key, descriptor) => {
    pattern(target, key, descriptor);
    Payload()(target, key, 0);
    Ctx()(target, key, 1);
    UseFilters(ErrorReachesTheBus)(target, key, descriptor);
  };
}

/** `@OnEvent('run.created')` on `async onRunCreated(event: RecordedEventOf<'run.created'>, context: DeliveryContext)`. */
export function OnEvent<T extends EventType>(
  type: T,
): Handles<(event: RecordedEventOf<T>, context: DeliveryContext) => Promise<void>> {
  return marked(EventPattern<`event:${T}`>(`event:${type}`));
}

/** `@OnReport('planner.plan-proposed')` on `async onPlanProposed(report: Report<'planner.plan-proposed'>)`. */
export function OnReport<K extends ReportKind>(
  kind: K,
): Handles<(report: Report<K>, context: DeliveryContext) => Promise<void>> {
  return marked(EventPattern<`report:${K}`>(`report:${kind}`));
}

/** `@OnCommand('cancel-run')` on `async cancelRun(command: Command<'cancel-run'>)`, which answers, refusals included. */
export function OnCommand<N extends CommandName>(
  name: N,
): Handles<(command: Command<N>) => Promise<CommandAnswerOf<N>>> {
  return marked(MessagePattern(`command:${name}`));
}
