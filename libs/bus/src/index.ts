export type {
  Bus,
  BusAnswer,
  BusHeaders,
  BusLog,
  BusMessage,
  Delivery,
  Doubts,
  Listener,
  ProvisionOutcome,
  PullEnd,
  PullRequest,
  ReadOutcome,
  RequestOutcome,
  StateOutcome,
  StoreOptions,
  StoreOutcome,
  StoredMessage,
} from './bus.ts';
export { MACHINE_CLOCK, type Clock } from './clock.ts';
export {
  CommandClient,
  serveAnswers,
  serveCommands,
  type AnsweringHandlers,
  type CommandAnswerOf,
  type CommandHandler,
  type CommandHandlers,
  type CommandOptions,
  type ServeCommandsOptions,
} from './commands.ts';
export type { Consumption } from './consume.ts';
export {
  consumeEvents,
  type AroundHandler,
  type ConsumeHandlersOptions,
  type DeliveryContext,
  type EventHandler,
  type EventHandlers,
} from './consume-events.ts';
export { consumeReports, type ReportHandler, type ReportHandlers } from './consume-reports.ts';
export {
  publishDispatch,
  pullDispatch,
  type PullDispatchOptions,
  type PullDispatchOutcome,
  type PulledDispatch,
} from './dispatch.ts';
export { connectBus, type ConnectOptions } from './jetstream/connect.ts';
export { publishEvent } from './log-events.ts';
export { keepConsumers, type KeepConsumersOptions, type KeptMarks, type StreamMark } from './keep-consumers.ts';
export { announceLogGrew, onLogGrew } from './log-signals.ts';
export { MemoryServer } from './memory/memory-server.ts';
export { OnCommand, OnEvent, OnReport } from './nest/decorators.ts';
export { JetStreamStrategy, type JetStreamStrategyOptions } from './nest/jetstream-strategy.ts';
export {
  dropParked,
  findParked,
  listParked,
  retryParked,
  type ParkedMessage,
  type ParkedOutcome,
  type ParkedPage,
} from './parked.ts';
export { runRelay, type RelayEnd, type RelayOptions, type RelaySource } from './relay.ts';
export { ReportClient, type ReportOptions, type ReportOutcome } from './reports.ts';
export {
  ACK_WAIT_MS,
  DISPATCH_ACK_WAIT_MS,
  EVENT_CONSUMERS,
  EVENT_SERVICES,
  REPORT_CONSUMER,
  RETRY_POLICY,
  dispatchConsumer,
  retryConsumer,
  topology,
  type ConsumerSpec,
  type EventService,
  type RetryPolicy,
  type StreamSpec,
  type Topology,
  type TopologySettings,
} from './topology.ts';
