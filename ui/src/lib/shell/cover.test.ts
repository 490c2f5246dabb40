import { expect, it } from 'vitest';

import { FakeCore } from '../ipc/fake/core';
import { useTransport } from '../ipc/transport';
import { coverSender } from './cover';

it('each change is sent once, in order, and the keyboard comes to the shell before the dashboard goes', async () => {
  const core = new FakeCore();
  useTransport(core);
  const send = coverSender();
  void send({ kind: 'none' });
  void send({ kind: 'none' });
  void send({ kind: 'strip', height: 37 });
  void send({ kind: 'full' });
  void send({ kind: 'full' });
  await send({ kind: 'none' });
  expect(
    core.calls.map(({ command, args }) => [command, (args.cover as { kind?: string } | undefined)?.kind]),
  ).toEqual([
    ['stage_cover', 'none'],
    ['stage_cover', 'strip'],
    ['stage_focus_shell', undefined],
    ['stage_cover', 'full'],
    ['stage_cover', 'none'],
  ]);
});

it('a cover that could not be set does not hold up the next one', async () => {
  const core = new FakeCore();
  useTransport(core);
  core.failing = { stage_cover: { code: 'x', title: 'x', detail: '', advice: '' } };
  const problems: unknown[] = [];
  const send = coverSender((problem) => problems.push(problem));
  await send({ kind: 'full' });
  core.failing = {};
  await send({ kind: 'none' });
  expect(problems).toHaveLength(1);
  expect(core.cover).toEqual({ kind: 'none' });
});
