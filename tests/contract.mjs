// How does a test server start, report and end? One JSON line in, one JSON line out, the end of standard input is the end.
import { Console } from 'node:console';
import { createInterface } from 'node:readline';

// Standard output belongs to the contract; what libraries have to say goes to standard error.
globalThis.console = new Console(process.stderr, process.stderr);

/** The configuration on standard input does not describe a server that can run. */
export class ConfigurationError extends Error {}

/** One JSON line on standard output. */
export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Whoever started this may be gone; the end of standard input ends it.
process.stdout.on('error', () => {});

/**
 * Reads the configuration, hands it to `start`, prints the ready line that it answers, and then carries out each further
 * line with `command`, printing what that answers.
 *
 * @param {string} name what an error message calls this server
 * @param {Record<string, unknown>} defaults every key that is known, and its value when it is not given
 * @param {(configuration: Record<string, any>) => Promise<{ ready: object, command?: Function, end: Function }>} start
 */
export async function run(name, defaults, start) {
  const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  let server;
  const end = async (code) => {
    await server?.end();
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => end(0));
  try {
    const first = await lines.next();
    server = await start({ ...defaults, ...checked(parse(first.value ?? ''), defaults) });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    return end(2);
  }
  say({ ...server.ready, pid: process.pid });
  for await (const line of { [Symbol.asyncIterator]: () => lines }) {
    if (!line.trim()) continue;
    try {
      if (!server.command) throw new ConfigurationError('there are no commands');
      say(await server.command(parse(line)));
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      say({ event: 'not_understood', why: error.message });
    }
  }
  return end(0);
}

/** Throws when `given` has a key that is not in `known`. */
export function checked(given, known) {
  const unknown = Object.keys(given).filter((key) => !(key in known));
  if (unknown.length > 0) {
    throw new ConfigurationError(
      `unknown keys: ${unknown.join(', ')}; known: ${Object.keys(known).join(', ')}`,
    );
  }
  return given;
}

function parse(line) {
  let given;
  try {
    given = JSON.parse(line);
  } catch {
    throw new ConfigurationError('standard input holds no JSON line');
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigurationError('the line must be a JSON object');
  }
  return given;
}
