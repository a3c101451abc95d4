import { testEngines } from '../support/engines.ts';
import { redTeam } from './suite.ts';

redTeam(testEngines().find(({ name }) => name === 'bubblewrap')!);
