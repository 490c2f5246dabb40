import { expect, it } from 'vitest';

import { methods } from './registry';

const sources = import.meta.glob<string>('../../../../crates/console-core/src/sign_in/*.rs', {
  query: '?raw',
  import: 'default',
  eager: true,
});

/** A Rust expression of a `Default`, as JSON would have it. */
function meaning(expression: string): unknown {
  const list = /^\[(.*)\]\.map\(.*\)\.to_vec\(\)$/.exec(expression);
  if (list) return [...(list[1] ?? '').matchAll(/"([^"]*)"/g)].map(([, text]) => text);
  const text = /^"([^"]*)"\.(?:into|to_owned)\(\)$/.exec(expression);
  if (text) return text[1];
  const variant = /^[A-Z]\w*::([A-Z]\w*)$/.exec(expression);
  if (variant) return (variant[1] ?? '').replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
  const known: Record<string, unknown> = {
    'String::new()': '',
    'Vec::new()': [],
    'CommandLine::default()': { program: '', arguments: [] },
    true: true,
    false: false,
  };
  return expression in known ? known[expression] : Number(expression);
}

it.each(methods.map((method) => [method.method, method] as const))(
  'a fresh %s is the core’s `Default`',
  (name, method) => {
    const { method: tag, ...fresh } = method.defaults();
    expect(tag).toBe(name);
    const source = Object.entries(sources).find(([path]) => path.endsWith(`/${name}.rs`))?.[1] ?? '';
    expect(source).not.toBe('');
    const body = /impl Default for \w+ \{\s*fn default\(\) -> Self \{\s*Self \{([\s\S]*?)\}\s*\}\s*\}/.exec(
      source,
    )?.[1];
    if (body === undefined) {
      // Derived: every text is empty and every list too.
      for (const value of Object.values(fresh)) expect(value).toHaveLength(0);
      return;
    }
    const fields = body
      .split(/,\s*(?=\w+:\s)|,\s*$/)
      .map((part) => /^\s*(\w+):\s*([\s\S]+)$/.exec(part.trim()))
      .filter((match) => match !== null);
    const core = Object.fromEntries(fields.map(([, key, value]) => [key, meaning((value ?? '').trim())]));
    expect(fresh).toEqual(core);
  },
);
