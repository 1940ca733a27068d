import {
  AckPolicy,
  DeliverPolicy,
  DiscardPolicy,
  ReplayPolicy,
  RetentionPolicy,
  StorageType,
  type ConsumerConfig,
  type JetStreamManager,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { STREAMS } from '@delta-ci/contracts';
import { NO_DOUBTS, type Doubts, type ProvisionOutcome } from '../bus.ts';
import type { ConsumerSpec, StreamSpec, Topology } from '../topology.ts';
import { anewFrom } from '../anew-from.ts';
import { saysMissing } from './missing.ts';

/**
 * The provisioner: the one place that creates and changes streams and consumers. Safe to repeat and to run in two
 * processes at once. Rejects with the server's error when it is away or does not allow it.
 */
export async function provisionJetStream(
  manager: JetStreamManager,
  topology: Topology,
  serverVersion: string,
  doubts: Doubts = NO_DOUBTS,
): Promise<ProvisionOutcome> {
  const changes: string[] = [];
  const lastSequences = new Map<string, number>();
  for (const spec of topology.streams) {
    const { change, info } = await provisionStream(manager, streamConfig(spec, topology.replicas, serverVersion));
    lastSequences.set(spec.name, info.state.last_seq);
    if (change !== null) changes.push(`${change} stream ${spec.name}`);
  }
  const [events] = topology.streams.filter(({ name }) => name === STREAMS.events);
  for (const spec of topology.consumers) {
    const start = spec.stream === STREAMS.events ? (events?.firstSequence ?? 1) : 1;
    const stream = { lastSequence: lastSequences.get(spec.stream) ?? 0, doubtedFrom: doubts.get(spec.stream) ?? null };
    const change = await provisionConsumer(manager, spec, stream, start);
    if (change !== null) changes.push(`${change} consumer ${spec.name} of ${spec.stream}`);
  }
  return { changes, notes: notesOn(serverVersion, topology.replicas) };
}

type Change = 'created' | 'updated' | 'put right' | null;

async function provisionStream(
  manager: JetStreamManager,
  config: WithName<StreamConfig>,
): Promise<{ change: Change; info: StreamInfo }> {
  const info = await unlessMissing(manager.streams.info(config.name));
  if (info === null) return { change: 'created', info: await manager.streams.add(config) };
  // What only counts when a stream is made, and what no server lets one change, is left as it is.
  const { first_seq: _first, retention: _retention, storage: _storage, name, ...wanted } = config;
  if (covers(info.config, wanted)) return { change: null, info };
  return { change: 'updated', info: await manager.streams.update(name, wanted) };
}

async function provisionConsumer(
  manager: JetStreamManager,
  spec: ConsumerSpec,
  stream: { readonly lastSequence: number; readonly doubtedFrom: number | null },
  startSequence: number,
): Promise<Change> {
  const config = consumerConfig(spec);
  const info = await unlessMissing(manager.consumers.info(spec.stream, spec.name));
  if (info === null) {
    await manager.consumers.add(spec.stream, { ...config, ...startingAt(startSequence) });
    return 'created';
  }
  const consumed = { delivered: info.delivered.stream_seq, ackFloor: info.ack_floor.stream_seq };
  const anew = anewFrom(spec, consumed, stream);
  if (anew !== null) {
    // Another provisioner may have been quicker.
    await unlessMissing(manager.consumers.delete(spec.stream, spec.name));
    await manager.consumers.add(spec.stream, { ...config, ...startingAt(anew) });
    return 'put right';
  }
  if (covers(info.config, config)) return null;
  await manager.consumers.update(spec.stream, spec.name, config);
  return 'updated';
}

type WithName<T extends { name: string }> = Partial<T> & Pick<T, 'name'>;

function streamConfig(spec: StreamSpec, replicas: number, serverVersion: string): WithName<StreamConfig> {
  return {
    name: spec.name,
    description: spec.description,
    subjects: [...spec.subjects],
    storage: StorageType.File,
    retention: spec.retention === 'work-queue' ? RetentionPolicy.Workqueue : RetentionPolicy.Limits,
    discard: spec.discard === 'new' ? DiscardPolicy.New : DiscardPolicy.Old,
    max_age: nanos(spec.maxAgeMs),
    max_bytes: spec.maxBytes,
    max_msgs_per_subject: spec.maxMessagesPerSubject ?? -1,
    discard_new_per_subject: spec.discard === 'new' && spec.maxMessagesPerSubject !== null,
    deny_delete: spec.denyDelete,
    deny_purge: spec.denyPurge,
    duplicate_window: nanos(spec.duplicateWindowMs),
    num_replicas: replicas,
    ...(spec.firstSequence > 1 && atLeast(serverVersion, 2, 10) ? { first_seq: spec.firstSequence } : {}),
  };
}

function consumerConfig(spec: ConsumerSpec): Partial<ConsumerConfig> {
  return {
    durable_name: spec.name,
    description: spec.description,
    filter_subject: spec.filter,
    ack_policy: AckPolicy.Explicit,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(spec.ackWaitMs),
    max_ack_pending: spec.maxAckPending,
    // The server only stops delivering at its bound, silently. Consumers count themselves, and park.
    max_deliver: -1,
  };
}

function startingAt(sequence: number): Partial<ConsumerConfig> {
  if (sequence <= 1) return { deliver_policy: DeliverPolicy.All };
  return { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: sequence };
}

/** Whether what the server has says the same as what is wanted, for every key that is wanted. */
function covers(actual: object, wanted: object): boolean {
  const held = new Map<string, unknown>(Object.entries(actual));
  return Object.entries(wanted).every(([key, value]) => sameSetting(held.get(key), value));
}

/** Servers leave out settings that are off or empty. */
function sameSetting(held: unknown, wanted: unknown): boolean {
  return JSON.stringify(held ?? false) === JSON.stringify(wanted);
}

async function unlessMissing<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (saysMissing(error)) return null;
    throw error;
  }
}

function notesOn(serverVersion: string, replicas: number): string[] {
  const notes: string[] = [];
  if (!atLeast(serverVersion, 2, 12)) {
    notes.push(
      `nats-server ${serverVersion} is good for development; production needs 2.12 or newer with sync_interval: always`,
    );
  }
  if (replicas < 3) notes.push('streams have one replica; production needs three, on file storage');
  return notes;
}

function atLeast(version: string, major: number, minor: number): boolean {
  const [hasMajor = 0, hasMinor = 0] = version.split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor >= minor);
}
