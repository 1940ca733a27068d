/** Something the person who starts the mesh has to change; told in one line. */
export class StartProblem extends Error {}
