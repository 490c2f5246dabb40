import { expect, it } from 'vitest';

import { fullTime, shortTime, timeLeft, timeLeftSpoken } from './format';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

it.each([
  [-1, '0:00'],
  [0, '0:00'],
  [1, '0:01'],
  [59_400, '1:00'],
  [4 * MINUTE + 32_000, '4:32'],
  [5 * MINUTE - 1, '5:00'],
  [5 * MINUTE, '5 min'],
  [42 * MINUTE + 59_999, '42 min'],
  [HOUR, '1 h'],
  [HOUR + 12 * MINUTE, '1 h 12 min'],
  [4 * HOUR + 50 * MINUTE, '4 h'],
  [47 * HOUR, '47 h'],
  [71 * HOUR, '2 days'],
])('%i ms left is written %s', (left, words) => {
  expect(timeLeft(left)).toBe(words);
});

it('never says more time than is left, except for the second that is running', () => {
  for (let left = 5 * MINUTE; left < 3 * HOUR; left += 17_321) {
    const [, hours = '0', minutes = '0'] = /^(?:(\d+) h ?)?(?:(\d+) min)?$/.exec(timeLeft(left)) ?? [];
    expect(Number(hours) * HOUR + Number(minutes) * MINUTE).toBeLessThanOrEqual(left);
  }
});

it('says whole minutes to a screen reader while seconds are shown', () => {
  expect(timeLeftSpoken(4 * MINUTE + 32_000)).toBe('less than 5 minutes');
  expect(timeLeftSpoken(30_000)).toBe('less than a minute');
});

it('names the day only when it is another one, and the offset only in the title', () => {
  const now = new Date(2025, 10, 24, 14, 30).getTime();
  const today = new Date(2025, 10, 24, 14, 2).getTime();
  const before = new Date(2025, 10, 23, 14, 2).getTime();
  expect(shortTime(today, now)).not.toMatch(/2025/);
  expect(shortTime(before, now)).toMatch(/2025/);
  expect(fullTime(today)).toMatch(/GMT/);
});
