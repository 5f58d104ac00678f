// SPDX-License-Identifier: Apache-2.0
require('http').createServer((request, response) => response.end('hello from node\n')).listen(3000);
