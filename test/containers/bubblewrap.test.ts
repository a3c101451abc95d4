import { testEngines } from '../support/engines.ts';
import { faultMatrix } from './matrix.ts';

faultMatrix(testEngines().find(({ name }) => name === 'bubblewrap')!);
