// @ts-check
export { closeTestSession as default } from './global-setup.mjs';
