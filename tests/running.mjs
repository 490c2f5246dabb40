// How is a test server started and ended? The other end of contract.mjs, for the tests of the servers themselves.
import { spawn } from 'node:child_process';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Starts a script of tests/, such as `provider/serve.mjs`; it ends with the test `t`. */
export async function start(t, script, configuration = {}) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [path], { cwd: dirname(path), stdio: ['pipe', 'pipe', 'pipe'] });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const send = (line) => child.stdin.write(`${JSON.stringify(line)}\n`);
  const end = async () => {
    child.stdin.end();
    return ended;
  };
  t.after(end);
  send(configuration);
  const first = await lines.next();
  if (first.done) throw new Error(`${script} ended with ${await ended}: ${errors}`);
  const event = async (name) => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${script} ended before it said ${name}: ${errors}`);
      const line = JSON.parse(value);
      if (line.event === name) return line;
    }
  };
  const ready = JSON.parse(first.value);
  return {
    ready,
    send,
    event,
    end,
    command: async (line, name) => {
      send(line);
      return event(name);
    },
  };
}
