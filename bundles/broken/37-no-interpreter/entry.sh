#!/usr/bin/bash
echo hello
