#!/bin/sh
exec curl --silent --fail --max-time 2 http://127.0.0.1:61313/
