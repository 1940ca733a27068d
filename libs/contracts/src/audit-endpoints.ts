import {
  AuditCheckpointsPage,
  AuditCheckpointsQuery,
  AuditEventsPage,
  AuditEventsQuery,
  AuditVerification,
  AuditVerifyQuery,
} from './audit.ts';
import type { Endpoint } from './endpoint.ts';

/** Routes for whoever checks the log. */
export const AUDIT_ENDPOINTS = {
  listAuditEvents: {
    method: 'GET',
    path: '/api/v1/audit/events',
    summary: 'Records of the log as they are stored, with their hashes, for whoever recomputes them',
    access: 'auditor',
    query: AuditEventsQuery,
    answers: { 200: AuditEventsPage },
    refusals: [],
  },
  listAuditCheckpoints: {
    method: 'GET',
    path: '/api/v1/audit/checkpoints',
    summary: 'Checkpoints in the order of their positions, from the log and from the artifact store',
    access: 'auditor',
    query: AuditCheckpointsQuery,
    answers: { 200: AuditCheckpointsPage },
    refusals: [],
  },
  verifyAudit: {
    method: 'GET',
    path: '/api/v1/audit/verify',
    summary: 'What this gateway finds when it recomputes a stretch of the log: the word of a service, not a proof',
    access: 'auditor',
    query: AuditVerifyQuery,
    answers: { 200: AuditVerification },
    refusals: ['not_found'],
  },
} as const satisfies Readonly<Record<string, Endpoint>>;
