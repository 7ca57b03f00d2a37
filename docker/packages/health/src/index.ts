export { Check, type Ask, type Limits, type ServiceHealth } from './check.js';
export { reasonOf } from './reason.js';
