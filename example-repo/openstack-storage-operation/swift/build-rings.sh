# One device in each ring. More copies want more devices: add them here and give the job its next generation.
set -eu
cd /etc/swift/rings

ring() { # name, server and port
  if [ ! -e "$1.builder" ]; then
    swift-ring-builder "$1.builder" create 10 1 1
    swift-ring-builder "$1.builder" add "r1z1-$2/d1" 100
  fi
  swift-ring-builder "$1.builder" rebalance
}

ring account swift-account:6001
ring container swift-container:6002
ring object swift-object:6000
