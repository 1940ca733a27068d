import { z } from 'zod';
import { HeartbeatAnswer } from './commands.ts';
import { JSON_BODY_BYTES_MAX, type Endpoint } from './endpoint.ts';
import { Digest, LeaseId } from './ids.ts';
import { ArtifactRecord } from './outcome.ts';
import {
  ARTIFACT_BYTES_MAX,
  AcknowledgeLeaseAnswer,
  ArtifactUploadAnswer,
  CancelAcknowledgeRequest,
  CompleteAnswer,
  CompleteRequest,
  HeartbeatRequest,
  LOG_CHUNK_BYTES_MAX,
  LeaseOffer,
  LeaseRequest,
  LogAppendAnswer,
  RUNNER_BODY_BYTES_MAX,
  RegisterRunnerAnswer,
  RegisterRunnerRequest,
  RenewTokenAnswer,
} from './runner-protocol.ts';

const ofLease = z.strictObject({ leaseId: LeaseId });
const nothing = z.strictObject({});

/** The routes of the runner protocol. */
export const RUNNER_ENDPOINTS = {
  registerRunner: {
    method: 'POST',
    path: '/runner/v1/runners',
    summary: 'Registers a runner and hands out its short-lived token',
    access: 'registration',
    body: { content: RegisterRunnerRequest, bytesMax: RUNNER_BODY_BYTES_MAX },
    answers: { 201: RegisterRunnerAnswer },
    refusals: ['rate_limited'],
  },
  renewToken: {
    method: 'POST',
    path: '/runner/v1/token',
    summary: 'A fresh token for a runner whose token still holds',
    access: 'runner',
    body: { content: nothing, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: RenewTokenAnswer },
    refusals: [],
  },
  requestLease: {
    method: 'POST',
    path: '/runner/v1/leases',
    summary: 'Waits for work; 204 when there was none',
    access: 'runner',
    body: { content: LeaseRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: LeaseOffer, 204: null },
    refusals: ['not_found'],
  },
  acknowledgeLease: {
    method: 'POST',
    path: '/runner/v1/leases/:leaseId/ack',
    summary: 'Takes the lease; without it the lease is gone after `acceptanceMs`',
    access: 'runner',
    params: ofLease,
    body: { content: nothing, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: AcknowledgeLeaseAnswer },
    refusals: ['stale_lease'],
  },
  heartbeat: {
    method: 'POST',
    path: '/runner/v1/leases/:leaseId/heartbeat',
    summary: 'Keeps the lease, says how far the work is, and hears of cancel requests',
    access: 'runner',
    params: ofLease,
    body: { content: HeartbeatRequest, bytesMax: JSON_BODY_BYTES_MAX },
    answers: { 200: HeartbeatAnswer },
    refusals: ['stale_lease'],
  },
  appendLog: {
    method: 'POST',
    path: '/runner/v1/leases/:leaseId/log',
    summary: 'Adds a chunk to the log of the attempt; repeating one is harmless',
    access: 'runner',
    params: ofLease,
    query: z.strictObject({ offset: z.coerce.number().int().nonnegative() }),
    body: { content: 'bytes', bytesMax: LOG_CHUNK_BYTES_MAX },
    answers: { 200: LogAppendAnswer },
    refusals: ['stale_lease', 'offset_mismatch'],
  },
  uploadArtifact: {
    method: 'PUT',
    path: '/runner/v1/leases/:leaseId/artifacts',
    summary: 'Stores an artifact under its digest and records it for the attempt',
    access: 'runner',
    params: ofLease,
    query: z.strictObject({
      name: ArtifactRecord.shape.name,
      type: ArtifactRecord.shape.type,
      digest: Digest,
      retention_days: z.coerce.number().pipe(ArtifactRecord.shape.retentionDays),
    }),
    body: { content: 'bytes', bytesMax: ARTIFACT_BYTES_MAX },
    answers: { 200: ArtifactUploadAnswer },
    refusals: ['stale_lease', 'digest_mismatch'],
  },
  completeAttempt: {
    method: 'POST',
    path: '/runner/v1/leases/:leaseId/complete',
    summary: 'Says how the attempt ended; accepted once, repeats get the same answer',
    access: 'runner',
    params: ofLease,
    body: { content: CompleteRequest, bytesMax: RUNNER_BODY_BYTES_MAX },
    answers: { 200: CompleteAnswer },
    refusals: ['stale_lease', 'conflicting_repeat', 'invalid_transition'],
  },
  acknowledgeCancel: {
    method: 'POST',
    path: '/runner/v1/leases/:leaseId/cancel-ack',
    summary: 'Says that the canceled attempt has stopped',
    access: 'runner',
    params: ofLease,
    body: { content: CancelAcknowledgeRequest, bytesMax: RUNNER_BODY_BYTES_MAX },
    answers: { 200: CompleteAnswer },
    refusals: ['stale_lease', 'cancel_not_requested', 'conflicting_repeat', 'invalid_transition'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
