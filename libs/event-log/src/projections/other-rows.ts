import type { ProjectedEvent } from './projected-event.ts';
import { patch, put, type RowChange } from './row-change.ts';
import { runIdOf } from './run-rows.ts';

/** Rows of what stands beside runs: deliveries, publications, runners, pools, repositories. */

export function onDeliveryAccepted(event: ProjectedEvent<'delivery.accepted'>): RowChange[] {
  return [put('delivery', { ...deliveryOf(event), run_id: event.data.runId, ignored: null })];
}

export function onDeliveryIgnored(event: ProjectedEvent<'delivery.ignored'>): RowChange[] {
  return [put('delivery', { ...deliveryOf(event), run_id: null, ignored: event.data.reason })];
}

function deliveryOf({ data, atMs }: ProjectedEvent<'delivery.accepted' | 'delivery.ignored'>) {
  const { forge, deliveryId, event, payloadDigest } = data;
  return { forge, delivery_id: deliveryId, event, payload_digest: payloadDigest, accepted_at_ms: atMs };
}

export function onPublicationRecorded(event: ProjectedEvent<'publication.recorded'>): RowChange[] {
  const { target, externalId, viewPosition, digest, status, detail, final } = event.data;
  const row = { target, external_id: externalId, view_position: viewPosition, digest, status, detail, final };
  return [put('publication', { run_id: runIdOf(event), ...row, published_at_ms: event.atMs })];
}

export function onRunnerRegistered({ data, atMs }: ProjectedEvent<'runner.registered'>): RowChange[] {
  const { runnerId, name, pool, capabilities, version } = data;
  const retired = { present: true, retired_at_ms: null, retired_reason: null, exit_code: null };
  return [
    put('runner', { runner_id: runnerId, name, pool, capabilities, version, registered_at_ms: atMs, ...retired }),
  ];
}

export function onRunnerRetired({ data, atMs }: ProjectedEvent<'runner.retired'>): RowChange[] {
  const retired = { present: false, retired_at_ms: atMs, retired_reason: data.reason, exit_code: data.exitCode };
  return [patch('runner', { runner_id: data.runnerId }, retired)];
}

export function onScalingDecided({ id, data, atMs }: ProjectedEvent<'scaling.decided'>): RowChange[] {
  const { inputs: _, ...shown } = data;
  return [put('pool_decision', { ...shown, event_id: id, decided_at_ms: atMs })];
}

export const onPolicyChanged = ({ data }: ProjectedEvent<'policy.changed'>): RowChange[] => [
  put('repository', { repository_id: data.repository, repository: null, policy: data.policy }),
];

export function onCheckpointSigned({ data }: ProjectedEvent<'checkpoint.signed'>): RowChange[] {
  const { keyId, ...rest } = data;
  return [put('checkpoint', { ...rest, key_id: keyId })];
}
