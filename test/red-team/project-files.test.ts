import { testEngines } from '../support/engines.ts';
import { projectFiles } from './project-files.ts';

for (const engine of testEngines()) if (engine.name !== 'docker') projectFiles(engine);
