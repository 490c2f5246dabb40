// States that the core can be in, by name, for development, tests and screenshots. None holds a secret.

import type { ShellState } from '../types';
import { doctorScenarios } from './scenarios/doctor';
import { heldScenarios } from './scenarios/held';
import { methodScenarios } from './scenarios/methods';
import { questionScenarios } from './scenarios/questions';
import { sessionScenarios } from './scenarios/sessions';
import { shellScenarios } from './scenarios/shell';

export const scenarios: Record<string, () => ShellState> = {
  ...shellScenarios,
  ...sessionScenarios,
  ...methodScenarios,
  ...heldScenarios,
  ...doctorScenarios,
  ...questionScenarios,
};
