export { AttemptLogs } from './attempt-logs.ts';
export { CheckpointFiles } from './checkpoint-files.ts';
export { ContentFiles, digestOf, type PutOptions, type StoredContent } from './content.ts';
export { FileArtifactStore } from './file-artifact-store.ts';
export { keepRecipe, keptRecipe } from './kept-recipes.ts';
export { StoreError } from './store-error.ts';
