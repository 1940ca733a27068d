export { migrate, type AppliedMigrations, type MigrateOptions } from './schema/migrate.ts';
export { provisionRoles, type ProvisionRolesOptions, type RoleUrls } from './schema/provision-roles.ts';
export { roleNames, type RoleNames } from './schema/role-names.ts';
export { openLog, type LogConnection, type OpenLogOptions } from './connection.ts';
export {
  type Answer,
  type Append,
  type DecisionView,
  type Submission,
  type SubmissionResult,
} from './append/submission.ts';
export { LogWriter, type BatchMeasure, type LogWriterOptions } from './append/log-writer.ts';
export { type OnFault } from './append/decide-batch.ts';
export { chainHash } from './append/hash-chain.ts';
