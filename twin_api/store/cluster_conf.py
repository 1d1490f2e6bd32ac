"""The configuration of the private cluster. It must never let anybody in without a password, nor let a row's value into the log."""

from __future__ import annotations

CONF = """\
# Written by twin_api at each start; a change made here is lost.
listen_addresses = ''
port = {port}
unix_socket_directories = '"{sockets}"'
unix_socket_permissions = 0700
hba_file = '{hba}'
password_encryption = 'scram-sha-256'
max_connections = 300
shared_buffers = {shared_mb}MB
effective_cache_size = {cache_mb}MB
maintenance_work_mem = 128MB
random_page_cost = 1.1
jit = off
timezone = 'UTC'
fsync = on
synchronous_commit = on
wal_level = logical
max_wal_size = 2GB
# Several backends build tables at once. Left alone, each waits for the log's buffers to be written by another.
wal_buffers = {wal_mb}MB
wal_writer_delay = 10ms
logging_collector = on
log_directory = 'log'
log_filename = 'server-%Y%m%d-%H%M%S.log'
log_file_mode = 0600
log_rotation_age = 1d
log_rotation_size = 10MB
log_timezone = 'UTC'
# The text of an ERROR can quote a value, so the log keeps to LOG, FATAL and PANIC.
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_statement = none
log_duration = off
log_min_duration_statement = -1
log_autovacuum_min_duration = -1
log_parameter_max_length = 0
log_parameter_max_length_on_error = 0
"""
HBA = """\
# Written by twin_api at each start: everybody needs a password, the superuser too.
local all all scram-sha-256
local replication all scram-sha-256
"""
