// SPDX-License-Identifier: Apache-2.0
require('http').get(process.argv[2], (response) => response.pipe(process.stdout));
