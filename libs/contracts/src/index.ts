export { A } from './a.ts'; 
