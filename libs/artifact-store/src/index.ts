export type {
  ArtifactStore,
  CacheStore,
  CheckpointStore,
  ContentStore,
  DirectTransfers,
  GrantedRequest,
  GrantedUpload,
  LogStore,
  OwnedContent,
  PutOptions,
  StoredContent,
  UploadScope,
} from './artifact-store.ts';
export { AttemptLogs } from './attempt-logs.ts';
export { CheckpointFiles } from './checkpoint-files.ts';
export { ContentFiles } from './content-files.ts';
export { FileArtifactStore } from './file-artifact-store.ts';
export { keepRecipe, keptRecipe } from './kept-recipes.ts';
export {
  BLOCK_BYTES,
  lineAt,
  lineFeedsIn,
  linesIn,
  locateLines,
  type LineSelection,
  type LocatedLines,
  type LogOutline,
  type ReadBlock,
} from './logs/log-outline.ts';
export { digestOf } from './measured-bytes.ts';
export { openArtifactStore, type ArtifactStoreSettings } from './open-artifact-store.ts';
export { StoreError, StoreUnreachable } from './store-error.ts';
