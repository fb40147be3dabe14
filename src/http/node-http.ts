/** Node's server: to import it by its name would load the client of `fetch`, too, at each start. */
export const { createServer, METHODS, STATUS_CODES } = process.getBuiltinModule('node:http');
