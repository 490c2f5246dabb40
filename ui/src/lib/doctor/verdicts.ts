// The doctor's verdicts in words, and what they come to together.

import type { DoctorView, VerdictView } from '../ipc/types';

export const verdictWords: Record<VerdictView, string> = {
  running: 'Looking',
  well: 'Well',
  warning: 'Look at it',
  failed: 'Wrong',
  unknown: 'Cannot be told',
  skipped: 'Skipped',
};

/** One line: what a person wants to know first. */
export function summaryOf({ running, steps }: DoctorView): string {
  if (running) return 'Looking…';
  const count = (verdict: VerdictView) => steps.filter((step) => step.verdict === verdict).length;
  const failed = count('failed');
  const warned = count('warning');
  const look = warned === 1 ? '1 more to look at' : `${warned} more to look at`;
  if (failed > 0) {
    const wrong = failed === 1 ? '1 thing is wrong' : `${failed} things are wrong`;
    return warned > 0 ? `${wrong}, ${look}` : wrong;
  }
  if (warned > 0)
    return warned === 1
      ? 'Nothing is wrong, 1 thing to look at'
      : `Nothing is wrong, ${warned} things to look at`;
  return count('unknown') > 0 ? 'All is well, as far as it can be told from here' : 'All is well';
}

/** How the summary looks. */
export function toneOf(doctor: DoctorView): VerdictView {
  if (doctor.running) return 'running';
  const worst = (['failed', 'warning'] as const).find((verdict) =>
    doctor.steps.some((step) => step.verdict === verdict),
  );
  return worst ?? 'well';
}
